/** Why a scanner gave up: the stream error condition of RFC 6120 4.9.3 that names the fault, and a sentence for the peer. */
export interface XmlFault {
  readonly condition: 'not-well-formed' | 'restricted-xml' | 'policy-violation' | 'unsupported-encoding' | 'bad-format';
  readonly text: string;
}

/** Bounds that hold for each stanza, checked before anything is kept. */
export interface XmlLimits {
  /** Bytes of one stanza (or stream header), markup included. */
  readonly bytes: number;
  /** Levels of nesting; a stanza itself is level 1. */
  readonly depth: number;
  /** Attributes of one element. */
  readonly attributes: number;
  /** Elements of one stanza, at all levels. */
  readonly elements: number;
}
