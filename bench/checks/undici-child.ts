import { Agent, request } from 'undici';
import { onOrder } from './order.js';

onOrder(({ ca }) => {
  const dispatcher = new Agent({ connect: { ca } });
  return async (url) => {
    const start = performance.now();
    const { statusCode, body } = await request(url, { dispatcher, signal: AbortSignal.timeout(10_000) });
    await body.text();
    return statusCode === 200 ? performance.now() - start : null;
  };
});
