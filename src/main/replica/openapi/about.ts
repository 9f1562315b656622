import { answer, EVERYWHERE, type Json, operation, text } from './parts.js';

const MISSING = { 503: 'something is missing: `detail` and `errors` say what' };

export const about = (id: string, summary: string, schema: Json, refused: readonly number[], open = false): Json => ({
  get: operation({
    id,
    tag: 'about',
    summary,
    answers: { 200: answer(summary, schema) },
    refused,
    known: MISSING,
    open,
  }),
});

export const METRICS = {
  get: operation({
    id: 'readMetrics',
    tag: 'about',
    summary: 'Metrics in the text format of Prometheus',
    answers: { 200: { description: 'the metrics', content: { 'text/plain': { schema: text } } } },
    refused: EVERYWHERE,
  }),
};
