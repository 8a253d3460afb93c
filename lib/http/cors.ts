const ALLOW_ORIGIN = 'access-control-allow-origin';

/** How long browsers remember the answer to a preflight, in seconds. They forget it after a day or sooner. */
const PREFLIGHT_AGE = 86_400;

/**
 * Lets pages of any origin read an answer. There is no `access-control-allow-credentials`, so browsers keep answers to
 * requests with cookies from these pages.
 */
export async function readableAnywhere(answer: Promise<Response>): Promise<Response> {
  const found = await answer;
  found.headers.set(ALLOW_ORIGIN, '*');
  return found;
}

/** `OPTIONS` of a public read: what browsers ask before a request with a header of its own, such as a bearer. */
export function answerPreflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      [ALLOW_ORIGIN]: '*',
      'access-control-allow-methods': 'GET, HEAD',
      // `*` stands for every header but this one.
      'access-control-allow-headers': 'authorization, *',
      'access-control-max-age': String(PREFLIGHT_AGE),
    },
  });
}
