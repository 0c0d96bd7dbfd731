/** What vouches for the mirror. */
export type TrustWish =
  /** The root that the device remembers; where it remembers none, nobody does. */
  | { readonly kind: 'remembered' }
  /** A file with a root, which the device remembers from then on. */
  | { readonly kind: 'root'; readonly path: string }
  /** Where the device remembers none, the first root that the mirror has. */
  | { readonly kind: 'first-use' }
  /** Nobody, whatever the device remembers. */
  | { readonly kind: 'insecure' };
