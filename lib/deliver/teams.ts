import type { Endpoint } from '../config/request.js';
import type { Channel, Digest } from './channel.js';
import { byteLength, compose, pageOf, PLAIN, type Markup } from './compose.js';
import { accept, post, type ServiceAnswer } from './send.js';

/**
 * Bytes of a message. https://learn.microsoft.com/connectors/teams/#known-issues-and-limitations-with-actions: about
 * 28 KB. It is not said in which encoding, so the larger of UTF-8 and UTF-16 counts.
 */
export const TEAMS_LIMIT = 28_000;

/** Stands before and after what is bold. No text of a digest has this character: `plain` takes it away. */
const BOLD = '\u0002';

interface TextRun {
  readonly type: 'TextRun';
  readonly text: string;
  readonly weight?: 'Bolder';
}

/**
 * A Teams workflow ("Post to a channel when a webhook request is received"), which takes an Adaptive Card. Each line is a
 * RichTextBlock: unlike a TextBlock, it knows no Markdown, so that no name or message can become a link. A mention would
 * need an entity beside the text, and the card has none.
 */
export function teams(endpoint: Endpoint): Channel {
  return {
    name: 'teams',
    async deliver(digest, signal) {
      const page = pageOf(digest);
      const markup: Markup = {
        ...PLAIN,
        bold: (text) => BOLD + text + BOLD,
        size: (text) => sizeOf(messageOf(text, page)),
      };
      const { text } = compose(withoutPage(digest), { markup, limit: TEAMS_LIMIT, titled: false });
      accept(realAnswer(await post(endpoint, messageOf(text, page), signal)));
    },
  };
}

/** The page is a button of the card. */
const withoutPage = (digest: Digest): Digest => ({ ...digest, pageUrl: null });

function messageOf(text: string, page: string | null): unknown {
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          msteams: { width: 'Full' },
          body: text.split('\n').map((line) => ({ type: 'RichTextBlock', inlines: runsOf(line) })),
          ...(page !== null && { actions: [{ type: 'Action.OpenUrl', title: 'Status page', url: page }] }),
        },
      },
    ],
  };
}

/** One line, cut where it becomes bold or regular. */
function runsOf(line: string): TextRun[] {
  return line
    .split(BOLD)
    .map((text, i): TextRun => ({ type: 'TextRun', text, ...(i % 2 === 1 && { weight: 'Bolder' }) }))
    .filter(({ text }) => text !== '');
}

function sizeOf(message: unknown): number {
  const json = JSON.stringify(message);
  return Math.max(byteLength(json), 2 * json.length);
}

/**
 * A connector, which came before workflows, answers 200 also where Teams refused the message, and names the real status
 * in the text: "Microsoft Teams endpoint returned HTTP error 429".
 */
function realAnswer(answer: ServiceAnswer): ServiceAnswer {
  const status = /endpoint returned HTTP error ([45]\d\d)\b/.exec(answer.text)?.[1];
  return answer.status === 200 && status !== undefined ? { ...answer, status: Number(status) } : answer;
}
