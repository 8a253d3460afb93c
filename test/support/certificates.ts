import forge from 'node-forge';

const DAY = 86_400_000;

export interface Pair {
  readonly cert: string;
  readonly key: string;
  /** Ms since the epoch, whole seconds. */
  readonly expiresAt: number;
}

export interface TestAuthority {
  readonly ca: string;
  /** A leaf for names and addresses, valid from and to so many days from now. */
  issue(names: readonly string[], from?: number, to?: number): Pair;
  /** A leaf for its own name that it has signed with the leaf's own key. */
  selfSigned(): Pair;
  /** An authority of its own that this one vouches for until so many days from now; its leaves come with it. */
  intermediate(name: string, to: number): TestAuthority;
}

/** Making one takes a quarter of a second of work: an authority has one, and its leaves share another. */
const keyPairs = new Map<string, forge.pki.rsa.KeyPair>();

function keyPairOf(owner: string): forge.pki.rsa.KeyPair {
  const pair = keyPairs.get(owner) ?? forge.pki.rsa.generateKeyPair(2048);
  keyPairs.set(owner, pair);
  return pair;
}

/** A certificate authority of the test's own. */
export function createAuthority(name: string): TestAuthority {
  return authorityOf(name, keyPairOf(name), '');
}

/** @param chain its own certificate, where others have to be told of it */
function authorityOf(name: string, keys: forge.pki.rsa.KeyPair, chain: string): TestAuthority {
  const subject = [{ name: 'commonName', value: name }];
  let serial = 0;

  const sign = (
    names: readonly string[],
    publicKey: forge.pki.rsa.PublicKey,
    from: number,
    to: number,
    authority = names[0] === undefined ? name : null,
  ) => {
    const certificate = forge.pki.createCertificate();
    certificate.serialNumber = `0${++serial}`;
    certificate.publicKey = publicKey;
    certificate.validity.notBefore = new Date(Date.now() + from * DAY);
    certificate.validity.notAfter = new Date(Math.floor((Date.now() + to * DAY) / 1000) * 1000);
    certificate.setIssuer(subject);
    certificate.setSubject([{ name: 'commonName', value: authority ?? names[0] }]);
    certificate.setExtensions(
      authority !== null
        ? [{ name: 'basicConstraints', cA: true }]
        : [
            {
              name: 'subjectAltName',
              altNames: names.map((name) =>
                /^[\d.]+$/.test(name) ? { type: 7, ip: name } : { type: 2, value: name },
              ),
            },
          ],
    );
    certificate.sign(keys.privateKey, forge.md.sha256.create());
    return certificate;
  };

  const issue = (leaf: forge.pki.rsa.KeyPair, names: readonly string[], from: number, to: number): Pair => {
    const certificate = sign(names, leaf.publicKey, from, to);
    return {
      cert: forge.pki.certificateToPem(certificate) + chain,
      key: forge.pki.privateKeyToPem(leaf.privateKey),
      expiresAt: certificate.validity.notAfter.getTime(),
    };
  };

  return {
    ca: forge.pki.certificateToPem(sign([], keys.publicKey, -1, 3650)),
    issue: (names, from = -1, to = 90) => issue(keyPairOf(`leaves of ${name}`), names, from, to),
    selfSigned: () => issue(keys, [name], -1, 90),
    intermediate(own, to) {
      const ownKeys = keyPairOf(own);
      const certificate = sign([], ownKeys.publicKey, -1, to, own);
      return authorityOf(own, ownKeys, forge.pki.certificateToPem(certificate));
    },
  };
}
