/** What the name of an image is made of: `<stem>-<stamp>-<arch>.img`. */
export interface ImageNameParts {
  /** `puavo-os-<class>-<dist>` */
  readonly stem: string;
  /** `YYYY-MM-DD-HHMMSS` */
  readonly stamp: string;
  readonly arch: string;
}

export function imageName({ stem, stamp, arch }: ImageNameParts): string {
  return `${stem}-${stamp}-${arch}.img`;
}

/** `count` stamps, one a day, from the first of January 2024 on. */
export function dailyStamps(count: number): string[] {
  return Array.from({ length: count }, (_, day) => {
    const date = new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10);
    return `${date}-060000`;
  });
}
