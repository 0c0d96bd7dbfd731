/** How an S3 server is spoken to; credentials, profile and region come from where all AWS tools have them. */
export interface S3Options {
  /** The server, where it is not Amazon's. */
  readonly endpoint?: string;
  /** The bucket stands in the path of a request, not in the host name: most servers of one's own want that. */
  readonly pathStyle?: boolean;
  /** Of every object: storage class, canned ACL, and who encrypts it. As S3 spells them; left out, the bucket decides. */
  readonly storageClass?: string;
  readonly acl?: string;
  readonly serverSideEncryption?: string;
}
