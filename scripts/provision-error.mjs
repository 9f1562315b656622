/** Something this project needs is not there and cannot be had. The message is one line for a person. */
export class ProvisionError extends Error {}
