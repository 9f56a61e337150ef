package trail

const openNonblock = 0
