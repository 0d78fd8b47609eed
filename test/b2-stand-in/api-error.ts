/** A refusal as B2 words it: the status, and `{status, code, message}` in the body. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
  }
}

export const badRequest = (message: string) => new ApiError(400, 'bad_request', message)
export const unauthorized = (message: string) => new ApiError(401, 'unauthorized', message)
export const badToken = () => new ApiError(401, 'bad_auth_token', 'Invalid authorization token')
export const expiredToken = () => new ApiError(401, 'expired_auth_token', 'Authorization token has expired')
export const fileNotFound = () => new ApiError(404, 'not_found', 'File with such name does not exist.')
