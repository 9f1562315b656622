export { type NodeAnswer, type NodeCall, NodeClient, type NodeStream } from './node-client.js';
