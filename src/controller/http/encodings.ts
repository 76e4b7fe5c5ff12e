/** Whether a reader takes an encoding; `accepted`: the value of its `Accept-Encoding`. */
export const takesEncoding = (accepted: string | undefined, encoding: string): boolean =>
  accepted?.split(',').some((one) => one.trim() === encoding) ?? false
