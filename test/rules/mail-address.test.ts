import { expect, it } from 'vitest';
import { mailboxOf, mailIdentity, parseMailAddress } from '../../lib/rules/mail-address.js';

it.each([
  ['ann@example.com', 'ann@example.com'],
  ['  Ann.Lee+news@Example.COM ', 'Ann.Lee+news@example.com'],
  ["o'neil_1@sub.example.co.uk", "o'neil_1@sub.example.co.uk"],
  ['müller@bücher.example', 'müller@xn--bcher-kva.example'],
  ['用户@例子.广告', '用户@xn--fsqu00a.xn--4rr70v'],
  [`${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
])('takes %s', (text, address) => {
  expect(parseMailAddress(text)).toBe(address);
});

it.each([
  [''],
  ['ann'],
  ['@example.com'],
  ['ann@'],
  ['ann@localhost'],
  ['ann@127.0.0.1'],
  ['ann@2130706433'],
  ['ann@[127.0.0.1]'],
  ['ann@[IPv6:::1]'],
  ['ann@example.com:25'],
  ['ann@example.com/x'],
  ['ann@x:y@example.com'],
  ['ann@bob@example.com'],
  ['ann@example..com'],
  ['ann@-example.com'],
  ['.ann@example.com'],
  ['ann..lee@example.com'],
  ['ann@example.com, bob@example.com'],
  ['ann@example.com;bob@example.com'],
  ['Ann <ann@example.com>'],
  ['"ann"@example.com'],
  ['ann(x)@example.com'],
  ['ann\\@example.com'],
  ['ann@example.com\r\nBcc: bob@example.com'],
  ['ann\r\nBcc: x@example.com'],
  ['ann\0@example.com'],
  ['ann\u202e@example.com'],
  ['an n@example.com'],
  [`${'a'.repeat(65)}@example.com`],
  [`a@${'a'.repeat(64)}.com`],
  [`a@${'abcdefgh.'.repeat(30)}com`],
  ['a'.repeat(1_000_000)],
  [`${'a.'.repeat(100_000)}@example.com`],
])('refuses %j', (text) => {
  expect(parseMailAddress(text)).toBeUndefined();
});

it('takes spellings of one address for the same, and tags for the same mailbox', () => {
  expect(mailIdentity('Ann+1@Example.com')).toBe('ann+1@example.com');
  expect(mailboxOf('Ann+1@Example.com')).toBe('ann@example.com');
  expect(mailboxOf('ann@example.com')).toBe('ann@example.com');
});
