/** What is used of it, so that types do not need the package: it is loaded where Web Push is on. */
declare module 'web-push' {
  interface Library {
    /** RFC 8291; keys in base64url. Throws when they are none. */
    encrypt(p256dh: string, auth: string, payload: string, encoding: 'aes128gcm'): { cipherText: Buffer };
    /** RFC 8292. */
    getVapidHeaders(
      audience: string,
      subject: string,
      publicKey: string,
      privateKey: string,
      encoding: 'aes128gcm',
    ): { Authorization: string };
    generateVAPIDKeys(): { publicKey: string; privateKey: string };
  }
  const library: Library;
  export default library;
}
