/**
 * The body as text; null where it is longer than `limit` bytes. Its rest is read and dropped then: who still sends would
 * not see the answer.
 */
export async function readText({ body }: Request, limit: number): Promise<string | null> {
  if (body === null) return '';
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body as unknown as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length <= limit) parts.push(part);
  }
  return length > limit ? null : Buffer.concat(parts).toString();
}
