import type { ComponentChildren, JSX } from 'preact';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { MessageName, Values, Words } from './language.js';

/** The language of the page that is rendered: `renderPage` gives it. */
export const PageWords = createContext<Words | null>(null);

export function useWords(): Words {
  const words = useContext(PageWords);
  if (words === null) throw new TypeError('rendered outside of a page');
  return words;
}

/** A message whose places are filled with elements. */
export function Phrase<Name extends MessageName>({
  name,
  values,
}: {
  name: Name;
  values: Values<Name, ComponentChildren>;
}): JSX.Element {
  return <>{useWords().phrase<Name, ComponentChildren>(name, values)}</>;
}
