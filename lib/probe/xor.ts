/** The bytes of `text`, each changed by the byte of `key` at its place; a shorter key begins again. */
export function xor(text: Buffer, key: Buffer): Buffer {
  return Buffer.from(text.map((byte, index) => byte ^ key.readUInt8(index % key.length)));
}
