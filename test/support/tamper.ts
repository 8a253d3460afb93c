import fc from 'fast-check';

/** The most bytes that an input grows to. */
const LARGEST = 64 * 1024;

type Edit = (text: string) => string;

/** One of the samples, as it is or with some of its bytes changed, repeated, moved and lost; a character a byte. */
export function tampered(samples: readonly string[], pieces: readonly string[]): fc.Arbitrary<string> {
  const sample = fc.constantFrom(...samples);
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const length = fc.oneof(fc.nat(8), fc.nat(2_000));
  const piece = fc.oneof(
    fc.constantFrom(...pieces),
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  const insert: fc.Arbitrary<Edit> = fc
    .tuple(place, piece, fc.oneof(fc.constant(1), fc.nat(2_000)))
    .map(([at, inserted, times]) => (text) => {
      const { before, after } = split(text, at);
      return before + inserted.repeat(times) + after;
    });
  const remove: fc.Arbitrary<Edit> = fc.tuple(place, length).map(([at, count]) => (text) => {
    const { before, after } = split(text, at);
    return before + after.slice(count);
  });
  const replace: fc.Arbitrary<Edit> = fc.tuple(place, piece).map(([at, put]) => (text) => {
    const { before, after } = split(text, at);
    return before + put + after.slice(put.length);
  });
  const repeat: fc.Arbitrary<Edit> = fc
    .tuple(place, length, fc.nat(50))
    .map(([at, count, times]) => (text) => {
      const { before, after } = split(text, at);
      return before + after.slice(0, count).repeat(times) + after;
    });
  const cut: fc.Arbitrary<Edit> = place.map((at) => (text) => split(text, at).before);
  const join: fc.Arbitrary<Edit> = fc.tuple(place, sample, place).map(
    ([at, other, from]) =>
      (text) =>
        split(text, at).before + split(other, from).after,
  );
  const edits = fc.array(fc.oneof(insert, remove, replace, repeat, cut, join), { maxLength: 6 });
  return fc
    .tuple(sample, edits)
    .map(([text, changes]) => changes.reduce((changed, change) => change(changed).slice(0, LARGEST), text));
}

function split(text: string, at: number): { readonly before: string; readonly after: string } {
  const place = Math.floor(at * text.length);
  return { before: text.slice(0, place), after: text.slice(place) };
}
