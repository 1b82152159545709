package compose

// archiveType is that of archives and of images of disks.
func archiveType(ending string) string {
	switch ending {
	case "zip":
		return "application/zip"
	case "gz", "tgz":
		return "application/gzip"
	case "tar":
		return "application/x-tar"
	case "xz":
		return "application/x-xz"
	case "7z":
		return "application/x-7z-compressed"
	case "rar":
		return "application/vnd.rar"
	case "zst":
		return "application/zstd"
	case "cab":
		return "application/vnd.ms-cab-compressed"
	case "iso":
		return "application/x-iso9660-image"
	case "dmg":
		return "application/x-apple-diskimage"
	case "jar":
		return "application/java-archive"
	case "deb":
		return "application/vnd.debian.binary-package"
	case "rpm":
		return "application/x-redhat-package-manager"
	case "apk":
		return "application/vnd.android.package-archive"
	case "msi":
		return "application/x-msi"
	case "bz2":
		return "application/x-bzip2"
	case "lz":
		return "application/x-lzip"
	}
	return ""
}

// pictureType is that of pictures, and of pages that are printed.
func pictureType(ending string) string {
	switch ending {
	case "jpg", "jpeg", "jpe", "jfif":
		return "image/jpeg"
	case "png":
		return "image/png"
	case "gif":
		return "image/gif"
	case "bmp":
		return "image/bmp"
	case "tif", "tiff":
		return "image/tiff"
	case "webp":
		return "image/webp"
	case "svg", "svgz":
		return "image/svg+xml"
	case "heic":
		return "image/heic"
	case "heif":
		return "image/heif"
	case "avif":
		return "image/avif"
	case "ico":
		return "image/vnd.microsoft.icon"
	case "psd":
		return "image/vnd.adobe.photoshop"
	case "eps", "ps", "ai":
		return "application/postscript"
	case "jp2":
		return "image/jp2"
	case "jxl":
		return "image/jxl"
	case "emf":
		return "image/emf"
	case "wmf":
		return "image/wmf"
	case "apng":
		return "image/apng"
	case "djvu", "djv":
		return "image/vnd.djvu"
	}
	return ""
}

// soundType is that of sounds and films.
func soundType(ending string) string {
	switch ending {
	case "mp3":
		return "audio/mpeg"
	case "m4a":
		return "audio/mp4"
	case "aac":
		return "audio/aac"
	case "ogg", "oga", "opus":
		return "audio/ogg"
	case "flac":
		return "audio/flac"
	case "wma":
		return "audio/x-ms-wma"
	case "aif", "aiff":
		return "audio/x-aiff"
	case "mp4", "m4v":
		return "video/mp4"
	case "mov", "qt":
		return "video/quicktime"
	case "avi":
		return "video/x-msvideo"
	case "wmv":
		return "video/x-ms-wmv"
	case "mkv":
		return "video/x-matroska"
	case "webm":
		return "video/webm"
	case "mpg", "mpeg", "mpe":
		return "video/mpeg"
	case "ogv":
		return "video/ogg"
	case "flv":
		return "video/x-flv"
	case "wav":
		return "audio/wav"
	case "mid", "midi":
		return "audio/midi"
	case "amr":
		return "audio/amr"
	case "3gp":
		return "video/3gpp"
	case "3g2":
		return "video/3gpp2"
	}
	return ""
}

// bookType is that of books, tickets and fonts.
func bookType(ending string) string {
	switch ending {
	case "epub":
		return "application/epub+zip"
	case "azw3":
		return "application/vnd.amazon.mobi8-ebook"
	case "woff":
		return "font/woff"
	case "woff2":
		return "font/woff2"
	case "ttf":
		return "font/ttf"
	case "otf":
		return "font/otf"
	case "eot":
		return "application/vnd.ms-fontobject"
	case "chm":
		return "application/vnd.ms-htmlhelp"
	case "mobi":
		return "application/x-mobipocket-ebook"
	case "pkpass":
		return "application/vnd.apple.pkpass"
	}
	return ""
}

// programType is that of programs.
func programType(ending string) string {
	switch ending {
	case "sh":
		return "application/x-sh"
	case "bat", "exe", "dll":
		return "application/x-msdos-program"
	case "bin":
		return "application/octet-stream"
	case "swf":
		return "application/vnd.adobe.flash.movie"
	case "torrent":
		return "application/x-bittorrent"
	}
	return ""
}
