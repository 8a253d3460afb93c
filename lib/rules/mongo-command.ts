/** What is wrong with a QUERY of MongoDB; null: nothing. */
export function mongoQueryProblem(query: string): string | null {
  try {
    const command: unknown = JSON.parse(query);
    const isObject = typeof command === 'object' && command !== null && !Array.isArray(command);
    if (isObject && Object.keys(command).length > 0) return null;
  } catch {
    // Said below.
  }
  return 'expected one database command as JSON, such as {"find":"users","limit":1}';
}
