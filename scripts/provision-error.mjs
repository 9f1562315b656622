/** A dependency of this project is missing and cannot be installed. The message is one line for a person. */
export class ProvisionError extends Error {}
