/**
 * What keeps Keepalive from doing what its operator asked for. The message says what to do about it and holds no secret:
 * the command line prints it without a stack.
 */
export class OperatorError extends Error {}
