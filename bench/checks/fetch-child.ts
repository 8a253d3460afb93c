import { onOrder } from './order.js';

// It trusts what NODE_EXTRA_CA_CERTS names.
onOrder(() => async (url) => {
  const start = performance.now();
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  await response.text();
  return response.ok ? performance.now() - start : null;
});
