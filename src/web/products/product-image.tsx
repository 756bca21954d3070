import ImageOff from 'lucide-react/icons/image-off'
import { useState } from 'react'
import type { ImageSize } from '../../facts/variants.ts'
import classes from './product-image.module.css'
import { productImageUrl } from './product-image-url.ts'

interface ImageProps {
  imageUrl: string | null
  variant: ImageSize
  /** '' where the words beside it say the same. */
  alt: string
  /** Twice the pixels on a dense screen: for an image that is about as large as its variant. */
  sharp?: boolean
  className?: string | undefined
}

/**
 * An image in a frame that has its size before it comes; where there is none, or it cannot be
 * read, a mark says so.
 */
export function ProductImage({ imageUrl, variant, alt, sharp = false, className }: ImageProps) {
  const [broken, setBroken] = useState<string | null>(null)
  if (imageUrl === null || broken === imageUrl)
    return (
      <span className={`${classes.frame} ${classes.none} ${className ?? ''}`}>
        <ImageOff size={16} aria-hidden />
      </span>
    )
  return (
    <span className={`${classes.frame} ${className ?? ''}`}>
      <img
        src={productImageUrl(imageUrl, variant)}
        {...(sharp && { srcSet: `${productImageUrl(imageUrl, variant)} 1x, ${productImageUrl(imageUrl, 'medium')} 2x` })}
        alt={alt}
        loading="lazy"
        decoding="async"
        draggable={false}
        onError={() => setBroken(imageUrl)}
      />
    </span>
  )
}
