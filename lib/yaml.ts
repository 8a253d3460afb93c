/** What is used of yaml. `scripts/vendor.js` makes one file of it, as of zod. */
export { isAlias, isMap, isPair, isScalar, parseAllDocuments, parseDocument } from 'yaml';
export type { ErrorCode, ParsedNode, Scalar } from 'yaml';
