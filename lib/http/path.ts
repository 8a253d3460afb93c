/** The path that a request names. A slash at its end makes no other address of it. */
export function pathOf({ url }: Pick<Request, 'url'>): string {
  const { pathname } = new URL(url);
  return pathname.length > 1 && pathname.endsWith('/') ? pathname.slice(0, -1) : pathname;
}
