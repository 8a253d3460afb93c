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
}

/** A certificate authority of the test's own. */
export function createAuthority(name: string): TestAuthority {
  const keys = forge.pki.rsa.generateKeyPair(2048);
  const subject = [{ name: 'commonName', value: name }];
  let serial = 0;

  const sign = (names: readonly string[], publicKey: forge.pki.rsa.PublicKey, from: number, to: number) => {
    const certificate = forge.pki.createCertificate();
    certificate.serialNumber = `0${++serial}`;
    certificate.publicKey = publicKey;
    certificate.validity.notBefore = new Date(Date.now() + from * DAY);
    certificate.validity.notAfter = new Date(Math.floor((Date.now() + to * DAY) / 1000) * 1000);
    certificate.setIssuer(subject);
    certificate.setSubject(names[0] === undefined ? subject : [{ name: 'commonName', value: names[0] }]);
    certificate.setExtensions(
      names.length === 0
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

  return {
    ca: forge.pki.certificateToPem(sign([], keys.publicKey, -1, 3650)),
    issue(names, from = -1, to = 90) {
      const leaf = forge.pki.rsa.generateKeyPair(2048);
      const certificate = sign(names, leaf.publicKey, from, to);
      return {
        cert: forge.pki.certificateToPem(certificate),
        key: forge.pki.privateKeyToPem(leaf.privateKey),
        expiresAt: certificate.validity.notAfter.getTime(),
      };
    },
  };
}
