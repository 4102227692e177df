/*
 * A server that speaks S3: moto (Python), whose signatures are checked by botocore, AWS's own library. Its data are in memory.
 *
 *   python3 -m venv .cache/moto && .cache/moto/bin/pip install -r test/kit/s3-requirements.txt
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import type { S3Settings } from '../../modules/uploads/s3.ts';
import { S3Files } from '../../modules/uploads/s3.ts';
import type { Need } from './needs.ts';
import { freePort } from './ports.ts';

const PROGRAM = fileURLToPath(new URL('../../.cache/moto/bin/moto_server', import.meta.url));
const WHY = 'an S3 server: python3 -m venv .cache/moto && .cache/moto/bin/pip install -r test/kit/s3-requirements.txt';

/** What a test with S3 needs: `needs(this, S3_SERVER); needs(this, S3_CLIENT)`. */
export const S3_SERVER: Need = { command: PROGRAM, why: WHY };
export const S3_CLIENT: Need = { module: 'aws4fetch', why: 'signatures of S3' };

const REGION = 'eu-central-1';
/** Steps in which the one user is made; from then on moto takes nothing without a signature that is right. */
const STEPS = 3;

export class S3Server {
  readonly port: number;
  private readonly process: ChildProcess;
  private said = '';
  private keys: { accessKey: string; secretKey: string } = { accessKey: '', secretKey: '' };
  private buckets = 0;

  private constructor(port: number, open: boolean) {
    this.port = port;
    this.process = spawn(PROGRAM, ['-H', '127.0.0.1', '-p', String(port)], {
      env: { ...process.env, ...(!open && { INITIAL_NO_AUTH_ACTION_COUNT: String(STEPS) }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const out of [this.process.stdout!, this.process.stderr!])
      out.on('data', (text: Buffer) => (this.said += text.toString()));
  }

  /** `open`: it checks no signature. Those of addresses that stand for themselves it cannot check. */
  static async start({ open = false } = {}): Promise<S3Server> {
    const server = new S3Server(await freePort(), open);
    try {
      await server.ready();
      await server.makeUser();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  private async ready(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await fetch(`http://127.0.0.1:${this.port}/moto-api/data.json`);
        return;
      } catch (error) {
        if (this.process.exitCode !== null || tries > 600)
          throw new Error(`moto does not start:\n${this.said.slice(-2000)}`, { cause: error });
        await delay(50);
      }
    }
  }

  private async makeUser(): Promise<void> {
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
    const iam = async (action: Record<string, string>): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${this.port}/`, {
        method: 'POST',
        headers: { Authorization: 'AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request' },
        body: new URLSearchParams({ Version: '2010-05-08', UserName: 'posthouse', ...action }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(text);
      return text;
    };
    await iam({ Action: 'CreateUser' });
    const key = await iam({ Action: 'CreateAccessKey' });
    await iam({ Action: 'PutUserPolicy', PolicyName: 'all', PolicyDocument: JSON.stringify(policy) });
    const part = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(key)![1]!;
    this.keys = { accessKey: part('AccessKeyId'), secretKey: part('SecretAccessKey') };
  }

  /** What a store is given for a bucket that is not made. */
  settings(given: Partial<S3Settings> = {}): S3Settings {
    return {
      endpoint: `http://127.0.0.1:${this.port}`,
      bucket: 'none',
      region: REGION,
      ...this.keys,
      prefix: '',
      style: 'path',
      redirect: false,
      ...given,
    };
  }

  /** The same for a bucket that is new and empty. */
  async bucket(given: Partial<S3Settings> = {}): Promise<S3Settings> {
    const settings = this.settings({ bucket: `bucket-${++this.buckets}`, ...given });
    await makeBucket(settings);
    return settings;
  }

  /** Keeps it from answering, or lets it go on: as a network that swallows everything. */
  freeze(frozen: boolean): void {
    this.process.kill(frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await gone;
  }
}

async function makeBucket(settings: S3Settings): Promise<void> {
  const { AwsV4Signer } = await import('aws4fetch');
  const { url, headers } = await new AwsV4Signer({
    method: 'PUT',
    url: `${settings.endpoint}/${settings.bucket}`,
    headers: { 'Content-Type': 'application/xml' },
    accessKeyId: settings.accessKey,
    secretAccessKey: settings.secretKey,
    service: 's3',
    region: settings.region,
    cache: new Map(),
    signQuery: false,
  }).sign();
  const body = `<CreateBucketConfiguration xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><LocationConstraint>${settings.region}</LocationConstraint></CreateBucketConfiguration>`;
  const answer = await fetch(url, { method: 'PUT', headers, body });
  if (!answer.ok) throw new Error(await answer.text());
  const problem = await new S3Files(settings).problem();
  if (problem !== undefined) throw new Error(problem);
}

/**
 * Whether the signature of a presigned address is right: as AWS describes it (Authenticating Requests: Using Query Parameters, AWS
 * Signature Version 4), without the library that made it.
 */
export function isSigned(address: string, secretKey: string): boolean {
  const url = new URL(address);
  const signature = url.searchParams.get('X-Amz-Signature')!;
  const encode = (text: string): string =>
    encodeURIComponent(text).replaceAll(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&');
  const path = url.pathname.split('/').map(part => encode(decodeURIComponent(part))).join('/'); // prettier-ignore
  const canonical = ['GET', path, query, `host:${url.host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const [, ...scope] = url.searchParams.get('X-Amz-Credential')!.split('/');
  const hash = createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', url.searchParams.get('X-Amz-Date'), scope.join('/'), hash].join('\n');
  const mac = (key: string | Buffer, message: string): Buffer => createHmac('sha256', key).update(message).digest();
  const key = scope.reduce<string | Buffer>((last, part) => mac(last, part), `AWS4${secretKey}`);
  return mac(key, text).toString('hex') === signature;
}
