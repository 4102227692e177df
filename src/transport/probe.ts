import net from 'node:net';

/** Whether a port can be listened on: undefined if so, else the system's error code. */
export function portProblem(address: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: address, port }, () => server.close(() => resolve(undefined)));
  });
}
