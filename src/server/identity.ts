/** What must not be guessed, and what must not be kept: random names, and the hash of a client's key. */

/** Node 18 has it as a module only. */
const webCrypto = async (): Promise<Crypto> =>
  globalThis.crypto ?? ((await import('node:crypto')).webcrypto as Crypto)

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** SHA-256. The key is 128 random bits, so there is nothing that salt or slowness could protect. */
export const hash = async (key: string): Promise<string> => {
  const { subtle } = await webCrypto()
  return base64url(new Uint8Array(await subtle.digest('SHA-256', new TextEncoder().encode(key))))
}

/** 96 bits. */
export const randomName = async (): Promise<string> =>
  base64url((await webCrypto()).getRandomValues(new Uint8Array(12)))
