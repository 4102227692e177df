/** Why a stream is not read at the moment; it is read again when no reason is left. */
export const HOLD_INBOX = 1; // its session's inbox is full
export const HOLD_RATE = 2; // it sent more than its rate
export const HOLD_ANSWER = 4; // an answer is on its way
export const HOLD_TURN = 8; // it is the others' turn
export const HOLD_OUTPUT = 16; // its client does not read what it is answered
