/** Around each durable step, by its place in the saga: the first pass of a saga is the first step after its start. */
export const SAGA_CRASH_SITES = ['saga.start.after', 'saga.step.before', 'saga.step.after', 'saga.note.after'] as const;
