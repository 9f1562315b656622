/** What each refusal means, as shown in the API's documentation. */
export const REFUSALS: Readonly<Record<number, string>> = {
  400: 'bad input; `errors` names the fields; nothing was written',
  401: 'no known API key (only where keys are set)',
  403: 'the key may not do this (only where keys are set)',
  404: 'unknown id',
  409: 'it contradicts what is there, or something else is at work on it (then with Retry-After); nothing was written',
  412: 'If-Match or If-None-Match does not hold; nothing was written',
  413: 'the body is larger than 1 MiB',
  415: 'the body is not JSON',
  421: 'the Host is not served here (only where no keys are set); ALLOWED_HOSTS lets one in',
  422: 'the Idempotency-Key was sent before with another body',
  429: 'too many requests (only where a limit is set), or more Idempotency-Keys than are kept for one caller; nothing was written',
  503: 'not done, nothing was written; try again after Retry-After',
  504: 'may or may not be done: ask GET /operations/{id}, or send it again with the same Idempotency-Key',
};

/** Of writes that go to replicas, where these say more. */
export const REPLICATED_REFUSALS: Readonly<Record<number, string>> = {
  503:
    'not done, nothing was written; try again after Retry-After. `too-few-replicas`: fewer replicas are in sync than ' +
    'MIN_INSYNC_REPLICAS; `not-ready`: since its start the app has not heard from enough of them',
};
