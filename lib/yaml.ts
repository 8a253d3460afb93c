/** What is used of yaml. `scripts/vendor.js` makes one file of it, as of zod. */
export { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, parseDocument, visit } from 'yaml';
export type { Alias, Document, ErrorCode, ParsedNode, Scalar, YAMLMap } from 'yaml';
