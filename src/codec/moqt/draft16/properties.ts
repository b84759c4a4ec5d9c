import { extensionHeaders } from '../extension-headers.ts';

/** draft-16 2.5, 10.2.1.2 */
export const { fromExtensions, toExtensions, objectFromExtensions, objectToExtensions } = extensionHeaders('delta');
