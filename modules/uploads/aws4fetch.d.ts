/** What is used of it, so that types do not need the package: it is loaded where the configuration names S3. */
declare module 'aws4fetch' {
  export class AwsV4Signer {
    constructor(init: {
      method: string;
      url: string;
      headers: Readonly<Record<string, string>> | undefined;
      accessKeyId: string;
      secretAccessKey: string;
      service: string;
      region: string;
      cache: Map<string, ArrayBuffer>;
      signQuery: boolean;
      /** 20260101T000000Z; now, when left out. */
      datetime?: string;
    });
    sign(): Promise<{ method: string; url: URL; headers: Headers }>;
  }
}
