/** Another service that a service calls. */
export interface ServiceCall {
  service: string
  /** Begins the names of its variables, in lower case. Absent: the name of the service. */
  as?: string
  /** Absent: the first local port of the service. */
  port?: number
  /** The service may be missing. */
  optional?: true
}

/** An address outside the cluster that a service calls. */
export interface AddressCall {
  address: string
}

/** Something that a service calls, as its definition says. */
export type Call = ServiceCall | AddressCall

/** `SMTP` of `{ service: mail, as: smtp }`: the variables are SMTP_HOST, SMTP_PORT and SMTP_URL. */
export const prefixOf = ({ service, as }: Pick<ServiceCall, 'service' | 'as'>): string =>
  (as ?? service).toUpperCase().replaceAll('-', '_')

export const isServiceCall = (call: Call): call is ServiceCall => 'service' in call
