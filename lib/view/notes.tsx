import type { NoteView } from '../read/views.js';
import { Moment } from './components.js';
import { useWords } from './phrase.js';
import type { JSX } from 'preact';

/** Current notes, above everything that is not wrong. */
export function CurrentNotes({
  notes,
  now,
  isNamed = true,
}: {
  notes: readonly NoteView[];
  now: string;
  /** False on the page of the only service that they may name. */
  isNamed?: boolean;
}): JSX.Element | null {
  const current = notes.filter(({ until }) => until > now);
  const words = useWords();
  if (current.length === 0) return null;
  return (
    <section class="notes" aria-label={words.text('notes')}>
      {current.map((note) => (
        <NoteCard note={note} now={now} isNamed={isNamed} />
      ))}
    </section>
  );
}

/** @param day the date that is named above it */
export function NoteCard({
  note: { id, at, target, name, text },
  now,
  day,
  isNamed = true,
}: {
  note: NoteView;
  now: string;
  day?: string;
  isNamed?: boolean;
}): JSX.Element {
  return (
    <article class="incident operator-note" id={`note-${id}`}>
      <NoteText text={text} />
      <p class="quiet">
        {isNamed && target !== null && (
          <>
            <a href={`/t/${target}`}>
              <bdi>{name}</bdi>
            </a>
            {' · '}
          </>
        )}
        <Moment at={at} now={now} day={day} />
      </p>
    </article>
  );
}

/** Plain text; what looks like the address of a page is a link. */
export function NoteText({ text }: { text: string }): JSX.Element {
  return (
    <p class="note-text" dir="auto">
      {text.split(LINK).map((part, i) =>
        i % 2 === 1 && URL.canParse(part) ? (
          <a href={part} rel="noreferrer nofollow ugc">
            {part}
          </a>
        ) : (
          part
        ),
      )}
    </p>
  );
}

/** Without the punctuation at its end, which belongs to the sentence. */
const LINK = /(\bhttps?:\/\/[^\s<>"']{1,500}(?<![.,;:!?)\]}]))/;
