import { defineOptions, option } from '../../src/api/index.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const DAY = 86_400; // s

interface Defaults {
  readonly enabled?: boolean;
  readonly size: number;
  readonly keep: number;
  readonly bytes: number;
  readonly files: number;
}

function purpose({ enabled = true, size, keep, bytes, files }: Defaults, doc: string) {
  return option.object(
    {
      enabled: option.boolean({ default: enabled, doc: 'Whether files are taken for it.', reload: 'live' }),
      size: option.size({ default: size, minimum: 1, maximum: 1024 * GIB, doc: 'Largest file.', reload: 'live' }),
      keep: option.duration({
        default: keep,
        doc: 'How long a file stays; 0: as long as the account does. Holds for files that come after a change.',
        reload: 'live',
      }),
      bytes: option.size({
        default: bytes,
        doc: 'What an account may have there at once; 0: without end.',
        reload: 'live',
      }),
      files: option.integer({
        default: files,
        doc: 'Files that an account may have there at once; 0: without end.',
        reload: 'live',
      }),
    },
    { doc },
  );
}

export const options = defineOptions({
  domain: option.string({
    default: 'upload.{host}',
    doc: 'The domain of the service below a host, `{host}` being the host.',
    reload: 'live',
  }),
  url: option.string({
    default: '',
    pattern: '^(?:https://[^\\s?#]+|http://(?:127\\.\\d+\\.\\d+\\.\\d+|localhost|\\[::1\\])[^\\s?#]*)?$',
    doc: "What the addresses of files begin with, where a proxy or a name of its own stands before '/upload' of the https or http listener: https://files.example.com/upload. Otherwise the host and the port of the https listener. `{host}` is the host.",
    reload: 'live',
  }),
  access: option.list(option.jid({ doc: 'A domain, or a bare address.' }), {
    default: [],
    doc: 'Who may upload beside the accounts of the host: components, for one.',
    reload: 'live',
  }),
  types: option.list(
    option.string({ pattern: '^[^\\s/;]+/[^\\s/;]+$', doc: 'image/png, or image/* for all of a kind.' }),
    {
      default: [],
      doc: 'The content types that are taken; all of them when none is named.',
      reload: 'live',
    },
  ),
  slot: option.duration({
    default: 300,
    minimum: 10,
    maximum: DAY,
    doc: 'How long after it was given an upload may begin.',
    reload: 'live',
  }),
  time: option.duration({
    default: 3600,
    minimum: 10,
    maximum: 7 * DAY,
    doc: 'How long an upload may take.',
    reload: 'live',
  }),
  idle: option.duration({
    default: 60,
    minimum: 1,
    maximum: 3600,
    doc: 'A transfer that does not move for so long is cut.',
    reload: 'live',
  }),
  daily: option.object(
    {
      bytes: option.size({ default: GIB, doc: 'Bytes; 0: without end.', reload: 'live' }),
      files: option.integer({ default: 1000, doc: 'Files; 0: without end.', reload: 'live' }),
    },
    { doc: 'What an account may upload within 24 hours, for all purposes together.' },
  ),
  message: purpose(
    { size: 50 * MIB, keep: 90 * DAY, bytes: 2 * GIB, files: 10_000 },
    'Files that are sent with messages: what is uploaded when nothing else is said.',
  ),
  profile: purpose({ size: 5 * MIB, keep: 0, bytes: 50 * MIB, files: 100 }, 'Avatars and the like.'),
  ephemeral: purpose(
    { size: 50 * MIB, keep: 7 * DAY, bytes: 500 * MIB, files: 1000 },
    'Files of which the client says when they must be gone, which may be earlier than `keep`.',
  ),
  permanent: purpose(
    { enabled: false, size: 50 * MIB, keep: 0, bytes: 500 * MIB, files: 5000 },
    'Files that stay: pictures of a blog, for one.',
  ),
  store: option.choice(['disk', 's3'], { default: 'disk', doc: 'Where files are kept.' }),
  disk: option.object(
    {
      folder: option.string({
        default: 'uploads',
        doc: 'The folder of the files, below the data folder unless it begins with a slash.',
      }),
      free: option.size({
        default: 256 * MIB,
        doc: 'With less than that free in the file system no file is taken, so that the rest of the server can go on.',
        reload: 'live',
      }),
    },
    { doc: 'Of `store: disk`.' },
  ),
  s3: option.object(
    {
      endpoint: option.string({
        default: '',
        pattern: '^(?:https?://[^\\s?#/]+(?:/[^\\s?#]*)?)?$',
        doc: 'Where it is: https://s3.eu-central-1.amazonaws.com, or that of another server that speaks S3.',
      }),
      bucket: option.string({ default: '', pattern: '^[a-z0-9.-]*$', doc: 'A bucket that is there.' }),
      region: option.string({ default: 'us-east-1', pattern: '^[a-z0-9-]+$', doc: 'Its region.' }),
      accessKey: option.secret({ doc: 'The access key of somebody who may list, put, get and delete in the bucket.' }),
      secretKey: option.secret({ doc: 'The secret of it.' }),
      prefix: option.string({ default: '', doc: 'What the keys of all files begin with.' }),
      style: option.choice(['path', 'host'], {
        default: 'path',
        doc: 'Whether the bucket stands in the path of an address, or before the name of the host.',
      }),
      redirect: option.boolean({
        default: false,
        doc: 'Whether clients download from there, by addresses that hold for some minutes, or through this server.',
      }),
    },
    { doc: 'Of `store: s3`.' },
  ),
});
