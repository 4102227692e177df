import { CliError, EXIT } from './ask.ts';

const MOST = 65_536; // characters

/** A password: asked for without echo on a terminal (twice, if told), else one line of standard input. */
export async function readPassword(prompt: string, twice: boolean): Promise<string> {
  if (!process.stdin.isTTY) return firstLine();
  const typed = new Typed();
  const password = await typed.ask(prompt);
  if (password === '') throw new CliError('an empty password cannot be used', EXIT.failed);
  if (twice && (await typed.ask('The same again: ')) !== password)
    throw new CliError('the two passwords differ; nothing was changed', EXIT.failed);
  return password;
}

async function firstLine(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) {
    text += chunk as string;
    if (text.includes('\n') || text.length > MOST) break;
  }
  const line = text.split('\n')[0]!.replace(/\r$/, '');
  if (line === '') {
    const message = 'no password: standard input was empty. Type it on a terminal, or pipe one line in';
    throw new CliError(message, EXIT.failed);
  }
  return line;
}

/** What is typed on the terminal, without echo. */
class Typed {
  /** Typed ahead of the next question. */
  private ahead = '';

  ask(prompt: string): Promise<string> {
    const { stdin, stderr } = process;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let line = '';
    const take = (text: string): void => {
      const chars = [...text];
      for (const [at, char] of chars.entries()) {
        if (char === '\r' || char === '\n' || char === '\u0004') {
          this.ahead = chars.slice(at + 1).join('');
          resolve(line);
          return;
        }
        if (char === '\u0003') return reject(new CliError('given up; nothing was changed', EXIT.failed));
        if (char === '\u007f' || char === '\b') line = [...line].slice(0, -1).join('');
        else line += char;
      }
    };
    stdin.setRawMode(true);
    stdin.setEncoding('utf8');
    // what is typed from now on is not shown
    stderr.write(prompt);
    const { ahead } = this;
    this.ahead = '';
    const hungUp = (): void => reject(new CliError('the terminal is gone; nothing was changed', EXIT.failed));
    stdin.on('data', take);
    stdin.once('end', hungUp);
    take(ahead);
    stdin.resume();
    return promise.finally(() => {
      stdin.off('data', take);
      stdin.off('end', hungUp);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
    });
  }
}
