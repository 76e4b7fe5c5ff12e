/** One entry of the controller's admit file. */
export interface AdmittedToken {
  token: string
  role: 'operator' | 'reader' | 'agent'
  machine: string | null
  name: string
}
