import net from 'node:net';

/** Whether a port can be listened on: undefined if so, else the system's error. */
export function portProblem(address: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise(resolve => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error));
    server.listen({ host: address, port }, () => server.close(() => resolve(undefined)));
  });
}
