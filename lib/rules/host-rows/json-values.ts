export function valueAt(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null
    ? Object.getOwnPropertyDescriptor(json, name)?.value
    : undefined;
}

export function numberAt(json: unknown, name: string): number | null {
  const value = valueAt(json, name);
  return typeof value === 'number' ? value : null;
}

export function textAt(json: unknown, name: string): string | null {
  const value = valueAt(json, name);
  return typeof value === 'string' ? value : null;
}

/** The items of a list; none where it is no list. */
export function itemsAt(json: unknown): readonly unknown[] {
  return Array.isArray(json) ? json : [];
}
