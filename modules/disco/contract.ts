export { capsHash, type Described } from './caps.ts';
