/**
 * The floor of files: what it costs a Node server to take files by PUT and to give them by GET, and no more.
 *
 *   node bench/file-floor.ts PORT FOLDER
 *
 * A path's last part is the name of the file. A file is flushed to the disk before it has its name, as ours is; nobody is asked anything, there
 * are no ranges, rows, names, types or limits.
 */
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const [port, folder] = process.argv.slice(2);
mkdirSync(folder!, { recursive: true });

createServer((request, response) => {
  const file = join(folder!, basename(request.url!));
  const serve = async (): Promise<void> => {
    if (request.method === 'PUT') {
      await pipeline(request, createWriteStream(`${file}.new`, { flush: true }));
      await rename(`${file}.new`, file);
      response.writeHead(201, { 'Content-Length': 0 }).end();
    } else {
      const { size } = await stat(file);
      response.writeHead(200, { 'Content-Length': size });
      await pipeline(createReadStream(file), response);
    }
  };
  serve().catch(() => response.destroy());
}).listen({ port: Number(port), host: '127.0.0.1' });
