// Package all has one of each kind of code that is broken.
package all

func all(a, b int, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	for i := 0; i < a; i++ {
		if a == b && b == i {
			break
		}
		b += a - i
	}
	switch {
	case a > b:
		panic("stays")
	case either(a > 0, b < 0):
		println(a)
	}
	return a * b, nil
}

func either(a, b bool) bool {
	return a || b
}
