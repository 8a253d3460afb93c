/** A node of a YAML text, at the offset of its first character. */
export type YamlNode = YamlText | YamlList | YamlMap | YamlAlias;

export interface YamlText {
  readonly kind: 'text';
  /** Numbers and words such as `true` as they are written. */
  readonly text: string;
  /** It stands for nothing: `~`, `null`, or no text at all. */
  readonly isNull: boolean;
  readonly at: number;
}

export interface YamlList {
  readonly kind: 'list';
  readonly items: readonly (YamlNode | null)[];
  readonly at: number;
}

export interface YamlMap {
  readonly kind: 'map';
  /** In the order of the text; a key may be there several times. */
  readonly entries: readonly YamlEntry[];
  readonly at: number;
}

export interface YamlEntry {
  readonly key: YamlNode | null;
  readonly value: YamlNode | null;
}

export interface YamlAlias {
  readonly kind: 'alias';
  /** May have the alias in it. Null: there is no such anchor. */
  readonly target: YamlNode | null;
  readonly at: number;
}

/** A YAML text that has been read. */
export interface YamlDocument {
  readonly text: string;
  readonly root: YamlNode | null;
  /** Why it is no YAML, in the order of the text. */
  readonly mistakes: readonly { readonly at: number; readonly message: string }[];
}
