import type { Scanner, ScannerSink, Stanza, XmlFault } from '../xml/index.ts';
import type { ClientStream } from './client-stream.ts';

/** RFC 7395 3.3.3: allowed, if not recommended. What it says is ignored: a text frame is UTF-8. */
const DECLARATION = /^<\?xml[ \t\r\n][^<>&]{0,150}?\?>/;

/** What stands between a framed stream and its scanner: each element comes in a frame of its own (RFC 7395 3.3.3). */
export class Frames implements ScannerSink {
  private readonly stream: ClientStream;
  /** Frames that came while the stream was not read. */
  private readonly waiting: Buffer[] = [];
  /** Whether the frame at hand has given its element. */
  private given = false;

  constructor(stream: ClientStream) {
    this.stream = stream;
  }

  /** Takes a frame; its bytes are the caller's again when it returns. */
  take(scanner: Scanner, bytes: Uint8Array, start: number, end: number): void {
    if (this.stream.reading.held) this.waiting.push(Buffer.from(bytes.subarray(start, end)));
    else this.read(scanner, bytes, start, end);
  }

  /** The stream is read again. */
  resume(scanner: Scanner): void {
    this.ended(scanner);
    while (this.waiting.length > 0 && !this.stream.reading.held) {
      const frame = this.waiting.shift()!;
      this.read(scanner, frame, 0, frame.length);
    }
  }

  private read(scanner: Scanner, bytes: Uint8Array, start: number, end: number): void {
    this.given = false;
    let from = start;
    if (bytes[start + 1] === 0x3f) {
      const head = Buffer.from(bytes.subarray(start, Math.min(end, start + 160))).latin1Slice();
      from += DECLARATION.exec(head)?.[0].length ?? 0;
    }
    scanner.push(bytes, from, end);
    this.ended(scanner);
  }

  private ended(scanner: Scanner): void {
    if (scanner.midway && !this.stream.reading.held) this.refuse();
  }

  private refuse(): void {
    this.stream.onFault({ condition: 'not-well-formed', text: 'A WebSocket frame must hold one whole element.' });
  }

  // ---- what the scanner finds -----------------------------------------------------------------------------------------------

  onStanza(stanza: Stanza): void {
    if (this.given) {
      this.refuse();
      return;
    }
    this.given = true;
    this.stream.onStanza(stanza);
  }

  onFault(fault: XmlFault): void {
    this.stream.onFault(fault);
  }

  // frames have no root element
  onHeader(): void {}
  onClose(): void {}
}
