import { Fragment, type ComponentChildren, type JSX } from 'preact';

/** A text whose places in braces are filled with elements. */
export function Phrase({
  text,
  values,
}: {
  text: string;
  values: Readonly<Record<string, ComponentChildren>>;
}): JSX.Element {
  const known = new Map(Object.entries(values));
  return (
    <>
      {text.split(/\{(\w+)\}/).map((part, i) => (
        <Fragment key={i}>{i % 2 === 0 ? part : known.get(part)}</Fragment>
      ))}
    </>
  );
}
