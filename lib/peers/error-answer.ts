/** What one of our error answers says, as far as it can be shown. */
export function errorIn(text: string): { readonly code: string | null; readonly message: string | null } {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    const known = (found: unknown): string | null =>
      typeof found === 'string' && /^[\x20-\x7e]{1,200}$/.test(found) ? found : null;
    return { code: known(error?.code), message: known(error?.message) };
  } catch {
    return { code: null, message: null };
  }
}
