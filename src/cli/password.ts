import { CliError, EXIT } from './ask.ts';

/** A password: asked for without echo on a terminal (twice, if told), else one line of standard input. */
export async function readPassword(prompt: string, twice: boolean): Promise<string> {
  if (!process.stdin.isTTY) return firstLine();
  const password = await hidden(prompt);
  if (password === '') throw new CliError('an empty password cannot be used', EXIT.failed);
  if (twice && (await hidden('The same again: ')) !== password)
    throw new CliError('the two passwords differ; nothing was changed', EXIT.failed);
  return password;
}

async function firstLine(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) {
    text += chunk as string;
    if (text.includes('\n') || text.length > 65_536) break;
  }
  const line = text.split('\n')[0]!.replace(/\r$/, '');
  if (line === '')
    throw new CliError(
      'no password: standard input was empty. Type it on a terminal, or pipe one line in',
      EXIT.failed,
    );
  return line;
}

function hidden(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  return new Promise((resolve, reject) => {
    let typed = '';
    stderr.write(prompt);
    stdin.setRawMode(true);
    stdin.setEncoding('utf8');
    stdin.resume();
    const done = (finish: () => void): void => {
      stdin.off('data', onData);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
      finish();
    };
    const onData = (text: string): void => {
      for (const char of text) {
        if (char === '\r' || char === '\n' || char === '\u0004') return done(() => resolve(typed));
        if (char === '\u0003') return done(() => reject(new CliError('given up; nothing was changed', EXIT.failed)));
        if (char === '\u007f' || char === '\b') typed = [...typed].slice(0, -1).join('');
        else typed += char;
      }
    };
    stdin.on('data', onData);
  });
}
