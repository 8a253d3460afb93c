import { serve } from '../../lib/local/server.js';

/** A process of functions: the handlers under api/, with nothing that `npm start` has besides. */
const { port } = await serve(0);
process.send?.(port);
process.on('disconnect', () => process.exit());
